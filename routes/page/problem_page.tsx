/**
 * Why a person does not get the page that was asked for.
 * @module
 */
import { Layout } from "./layout.tsx";

/** What the page says. */
export interface ProblemPageProps {
  /** What kind of problem it is. */
  readonly title: string;
  /** What happened here. */
  readonly detail: string;
  /** What helps, where that is known. */
  readonly hint?: string | undefined;
}

/** The page. */
export function ProblemPage({ title, detail, hint }: ProblemPageProps) {
  return (
    <Layout title={`${title} · Chainferry`}>
      <h1>{title}</h1>
      <p class="notice bad" role="alert">{detail}</p>
      {hint === undefined ? null : <p>{hint}</p>}
      <p>
        <a href="/">All ferries</a>
      </p>
    </Layout>
  );
}
