/**
 * Running a program to its end.
 * @module
 */

/** How a program is run. */
export interface CommandOptions {
  /** Text given on standard input. */
  stdin?: string;
  /** Variables added to the environment. */
  env?: Record<string, string>;
  /** Working folder. */
  cwd?: string;
}

/** Runs `argv` and returns what it printed; throws with the end of its complaints when it fails. */
export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = new Deno.Command(argv[0], {
    args: argv.slice(1),
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  }).spawn();
  const feeding = options.stdin === undefined ? undefined : feed(child.stdin, options.stdin);
  const { success, code, stdout, stderr } = await child.output();
  await feeding;
  if (!success) throw new Error(`${argv.join(" ")}: exit ${code}\n${tail(new TextDecoder().decode(stderr))}`);
  return new TextDecoder().decode(stdout);
}

/** The last lines of a text, enough to see why something failed. */
export function tail(text: string, lines = 15): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

/** One line for the person who looks on. */
export async function note(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(text.replaceAll("\n", " ") + "\n"));
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // The program ended before it had read all; its exit code tells the story.
  }
}
