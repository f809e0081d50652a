const closers = new Set<() => void>();
let isListening = false;

/**
 * Has something called, synchronously, when the process ends. One listener serves all, so that a product with many
 * telemetries is not warned of a leak.
 * @returns what takes it back
 */
export function onProcessExit(close: () => void): () => void {
  if (!isListening) {
    process.on("exit", () => {
      for (const each of closers) each();
    });
    isListening = true;
  }
  closers.add(close);
  return () => closers.delete(close);
}
