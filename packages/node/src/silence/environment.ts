/** Sets variables of an environment. @returns what puts them back as they were */
export function setVariables(
  environment: Record<string, string | undefined>,
  variables: Readonly<Record<string, string>>,
): () => void {
  const before = Object.keys(variables).map((name) => [name, environment[name]] as const);
  Object.assign(environment, variables);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete environment[name];
      else environment[name] = value;
    }
  };
}
