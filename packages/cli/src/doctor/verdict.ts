/** One line of the doctor's answer. The sentence says what is, and where something is wrong, what to do. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly sentence: string;
}

export function ok(name: string, sentence: string): Check {
  return { name, state: "ok", sentence };
}

export function warn(name: string, sentence: string): Check {
  return { name, state: "warn", sentence };
}

export function fail(name: string, sentence: string): Check {
  return { name, state: "fail", sentence };
}
