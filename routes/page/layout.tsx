/**
 * What every page has around it.
 * @module
 */
import type { Child } from "hono/jsx";

/** A whole document. */
export function Layout({ title, children }: { readonly title: string; readonly children: Child }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/uplot.css" />
        <link rel="stylesheet" href="/assets/page.css" />
        <script type="module" src="/assets/page.js"></script>
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>
          <a class="brand" href="/">
            <img src="/assets/icon.svg" alt="" width="24" height="24" /> Chainferry
          </a>
          <nav>
            <a class="button" href="/new">Start a ferry</a>
          </nav>
        </header>
        <main id="main" tabindex={-1}>
          <p id="heard" class="notice bad" hidden></p>
          <p id="away" class="unseen" role="status"></p>
          <p id="undone" class="notice bad" role="alert" hidden></p>
          {children}
        </main>
      </body>
    </html>
  );
}
