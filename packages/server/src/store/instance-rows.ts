/**
 * The condition for events of an instance: its id stands where products put it, or is who the message is from.
 * @param ids what follows IN: a subquery or a bound list of the forms in which the id may stand
 */
export function isOfInstance(ids: string): string {
  const named = ["properties", "traits", "context"].map(
    (root) => `JSONExtractString(envelope, '${root}', 'instanceId') IN ${ids}`,
  );
  return `(${[...named, `userId IN ${ids}`, `anonymousId IN ${ids}`].join(" OR ")})`;
}
