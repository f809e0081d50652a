/** Closes what was opened, in reverse order. */

export type Closer = () => Promise<void> | void;

export interface Closers {
  add(closer: Closer): void;
  /** Calls each added function once, the last one first, each after the one before has ended. */
  close(): Promise<void>;
}

function createClosers(): Closers {
  const closers: Closer[] = [];
  return {
    add: (closer) => void closers.push(closer),
    close: async () => {
      for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
    },
  };
}

/**
 * Opens something of several parts. If that fails, closes the parts that were opened.
 * @returns what `open` resolves to, and a function that closes it
 */
export async function openParts<Opened>(
  open: (closers: Closers) => Promise<Opened>,
): Promise<Opened & { close(): Promise<void> }> {
  const closers = createClosers();
  try {
    return { ...(await open(closers)), close: closers.close };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
