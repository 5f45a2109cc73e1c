/**
 * A GitHub workflow read from its file, and its job run as a runner would: the steps in order, each a script of its own
 * for bash, as written. Of expressions only names are known (`secrets.X`, `github.run_id`) and three conditions; anything
 * else fails the test.
 * @module
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { run } from "../servers/command.ts";

/** One step. */
export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, unknown>>;
}

/** One job. */
export interface Job {
  readonly "runs-on": string;
  readonly "timeout-minutes"?: number;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
}

/** A workflow, as far as it is looked at. */
export interface Workflow {
  readonly name: string;
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly defaults?: { readonly run: { readonly shell: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

/** What expressions see: `{secrets: {…}, vars: {…}, github: {…}}`. */
export type Contexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** How a job ended. */
export interface JobEnd {
  readonly conclusion: "success" | "failure" | "cancelled";
  /** Exit code of the first step that failed, else 0. */
  readonly code: number;
  /** What the steps printed. */
  readonly log: string;
  /** What they wrote to `GITHUB_STEP_SUMMARY`. */
  readonly summary: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;
/** What the program consists of. */
const PROGRAM = ["deno.json", "deno.lock", "main.ts", "lib", "routes"];
/** What GitHub accepts at the top of a workflow and of a step. */
const TOP = ["name", "run-name", "on", "permissions", "concurrency", "defaults", "env", "jobs"];
const STEP = [
  "name",
  "id",
  "if",
  "uses",
  "with",
  "run",
  "env",
  "shell",
  "working-directory",
  "timeout-minutes",
];
/** Between the signals that a runner sends to a step that is cancelled: 7.5 s, as GitHub's documentation has it. */
const SIGNALS_APART_MS = 7500;

/** Reads a workflow; fails where GitHub would refuse the file. */
export async function readWorkflow(path: string): Promise<Workflow> {
  // Of YAML 1.2, as GitHub's parser: `on` is no boolean. What the parser only warns of is an error here.
  const workflow = parse(await Deno.readTextFile(ROOT + path), { strict: true, logLevel: "error" });
  assert.deepEqual(Object.keys(workflow).filter((key) => !TOP.includes(key)), [], `${path}: keys at the top`);
  assert.ok(workflow.on !== undefined && workflow.on !== null, `${path}: no "on"`);
  const jobs: [string, Job][] = Object.entries(workflow.jobs ?? {});
  assert.ok(jobs.length > 0, `${path}: no jobs`);
  for (const [id, job] of jobs) {
    assert.match(id, /^[A-Za-z_][\w-]*$/, `${path}: id of a job`);
    assert.equal(typeof job["runs-on"], "string", `${path}: job ${id} runs nowhere`);
    assert.ok(Array.isArray(job.steps) && job.steps.length > 0, `${path}: job ${id} has no steps`);
    for (const step of job.steps) {
      const where = `${path}: job ${id}, step ${step.name ?? step.uses ?? step.run}`;
      assert.deepEqual(Object.keys(step).filter((key) => !STEP.includes(key)), [], where);
      assert.ok(
        (step.run === undefined) !== (step.uses === undefined),
        `${where}: needs one of run and uses`,
      );
      // A tag or a commit: a branch may become anything.
      if (step.uses !== undefined) {
        assert.match(step.uses, /^[\w.-]+\/[\w./-]+@(v\d[\w.]*|[0-9a-f]{40})$/, where);
      }
    }
  }
  return workflow;
}

/** Puts values in the place of `${{ … }}`. */
export function expand(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    const [context, name] = /^(\w+)\.(\w+)$/.exec(expression)?.slice(1) ?? [];
    const value = contexts[context]?.[name];
    assert.ok(value !== undefined, `the expression ${expression} is not known here`);
    return value;
  });
}

/** Runs a workflow's only job. `cancel` stands for the button of that name. */
export async function runJob(workflow: Workflow, contexts: Contexts, cancel?: AbortSignal): Promise<JobEnd> {
  const [job, ...others] = Object.values(workflow.jobs);
  assert.equal(others.length, 0);
  const home = await Deno.makeTempDir({ prefix: "chainferry-runner-" });
  const runner = new Runner(home, contexts, cancel ?? new AbortController().signal);
  try {
    for (const folder of ["work", "temp"]) await Deno.mkdir(`${home}/${folder}`);
    await Deno.writeTextFile(`${home}/summary`, "");
    // The default shell gives bash other options.
    assert.equal(workflow.defaults?.run.shell, "bash");
    for (const step of job.steps) await runner.step(step, job.env ?? {});
    return {
      conclusion: runner.conclusion,
      code: runner.code,
      log: runner.log,
      summary: await Deno.readTextFile(`${home}/summary`),
    };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

class Runner {
  log = "";
  code = 0;

  constructor(readonly home: string, readonly contexts: Contexts, readonly cancel: AbortSignal) {}

  get conclusion(): JobEnd["conclusion"] {
    if (this.cancel.aborted) return "cancelled";
    return this.code === 0 ? "success" : "failure";
  }

  async step(step: Step, jobEnv: Readonly<Record<string, unknown>>): Promise<void> {
    if (!this.#wanted(step.if)) return;
    if (step.uses !== undefined) return await this.#use(step);
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries({ ...jobEnv, ...step.env })) {
      env[name] = expand(String(value), this.contexts);
    }
    const script = `${this.home}/step.sh`;
    await Deno.writeTextFile(script, expand(step.run!, this.contexts));
    const code = await this.#bash(script, env);
    if (this.code === 0) this.code = code;
  }

  #wanted(condition = "success()"): boolean {
    switch (condition) {
      case "always()":
        return true;
      case "cancelled()":
        return this.conclusion === "cancelled";
      case "success()":
        return this.conclusion === "success";
    }
    assert.fail(`the condition ${condition} is not known here`);
  }

  /** The two actions that are used: what they would fetch is here. */
  async #use({ uses, with: inputs = {} }: Step): Promise<void> {
    const action = uses!.split("@")[0];
    if (action === "actions/checkout") {
      expand(String(inputs.repository), this.contexts);
      const folder = `${this.home}/work/${inputs.path}`;
      await Deno.mkdir(folder);
      // Copied: a link would show programs another path than the one that they were started by.
      await run(["cp", "-r", ...PROGRAM.map((file) => ROOT + file), folder]);
    } else if (action === "denoland/setup-deno") {
      assert.equal(inputs["deno-version"], Deno.version.deno, "the Deno that this is tested with");
    } else {
      assert.fail(`the action ${action} is not known here`);
    }
  }

  async #bash(script: string, env: Record<string, string>): Promise<number> {
    const { home, contexts: { github } } = this;
    const child = new Deno.Command("bash", {
      args: ["--noprofile", "--norc", "-eo", "pipefail", script],
      cwd: `${home}/work`,
      clearEnv: true,
      env: {
        ...Object.fromEntries(
          ["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
            const value = Deno.env.get(name);
            return value === undefined ? [] : [[name, value]];
          }),
        ),
        NO_COLOR: "1",
        RUNNER_TEMP: `${home}/temp`,
        GITHUB_STEP_SUMMARY: `${home}/summary`,
        GITHUB_RUN_ATTEMPT: github.run_attempt,
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // Its own group, so that nothing of it is left.
      detached: true,
    }).spawn();
    const output = Promise.all([child.stdout, child.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
    }));
    const timers: ReturnType<typeof setTimeout>[] = [];
    const onCancel = () => {
      signal(child.pid, "SIGINT");
      timers.push(setTimeout(() => signal(child.pid, "SIGTERM"), SIGNALS_APART_MS));
      timers.push(setTimeout(() => signal(-child.pid, "SIGKILL"), SIGNALS_APART_MS + 2500));
    };
    // What comes after the cancellation is not cancelled once more.
    const late = this.cancel.aborted;
    if (!late) this.cancel.addEventListener("abort", onCancel);
    const stuck = setTimeout(() => signal(-child.pid, "SIGKILL"), 120_000);
    const { code } = await child.status;
    clearTimeout(stuck);
    for (const timer of timers) clearTimeout(timer);
    this.cancel.removeEventListener("abort", onCancel);
    // Orphans of the step, as a runner ends them with the job.
    signal(-child.pid, "SIGKILL");
    await output;
    return code;
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
