import { createProgram } from "./program.ts";
import { toFaultText } from "./terminal.ts";

/** A command is over when it says so; whatever still keeps the process alive gets this long. */
const LINGER_MS = 300;

/** Runs the command line. Sets the exit code; never throws. */
export async function run(args: readonly string[]): Promise<void> {
  const program = createProgram((code) => {
    process.exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    process.stderr.write(`${toFaultText(error)}\n`);
    process.exitCode = 1;
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
