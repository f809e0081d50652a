/** Sets variables of the process. @returns a function that puts them back as they were, also where `process.env` is another object by then */
export function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const { env } = process;
  const before = Object.keys(variables).map((name) => [name, env[name]] as const);
  Object.assign(env, variables);
  return () => {
    const { env: now } = process;
    for (const environment of new Set([env, now])) {
      for (const [name, value] of before) {
        if (value === undefined) delete environment[name];
        else environment[name] = value;
      }
    }
  };
}
