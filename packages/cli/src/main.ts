/** Runs a command and ends the process. */
import { createProgram } from "./program.ts";
import { toFaultText } from "./terminal.ts";

/** How long open handles may keep the process alive after a command has ended. */
const LINGER_MS = 300;

/** Runs a command and sets the exit code. Ends the process at most LINGER_MS later. Never rejects. */
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
