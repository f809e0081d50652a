/** A small but complete plan, which docs/plan-format.md prints and tests load. */
export const EXAMPLE_PLAN = `product: Kitchen
contact: privacy@kitchen.example
version: 2
about: Kitchen is software that you host. This is all that it tells its makers.
promises:
  - Recipes, names and pictures are never collected.
turn_off:
  - Set \`KITCHEN_DISABLE_TELEMETRY=true\` in \`.env\` and restart.
switches:
  disable: KITCHEN_DISABLE_TELEMETRY
  opt_in: KITCHEN_CLIENT_TELEMETRY
contacts:
  retention_days: 30
changelog:
  - version: 2
    date: "2026-05-04"
    text: A click on the search button is counted.
  - version: 1
    date: "2026-01-15"
    text: The installer and the keep-alive.

sources:
  installer:
    description: The script that installs Kitchen.
    consent: notice
    ip: country
    user_agent: drop
    retention_days: 90
  client:
    description: Kitchen in the browser.
    consent: opt-in
    retention_days: 365
    context:
      userAgent:
        type: string
        format: user_agent
        sensitivity: technical
        description: Family of the browser and of the system.
        example: Firefox on Linux
      page:
        type: object
        description: Where it happened.
        fields:
          path:
            type: string
            format: url
            sensitivity: interaction
            description: Path of the page, without query.
            example: /recipes
            column: true
    ids:
      anonymousId:
        type: string
        pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        sensitivity: technical
        description: Random, made in the browser after the Yes.
        example: 0b62ab60-02ad-4f69-a181-d9c5eb2f97fa

events:
  - type: track
    name: Installation Failed
    source: [installer]
    since: 1
    why: Shows for which systems the installer has to be fixed.
    owner: installer team
    review: https://kitchen.example/telemetry/1
    expires: "2027-01-15"
    properties:
      os:
        type: string
        enum: [debian, ubuntu, other]
        sensitivity: technical
        description: Family of the operating system.
        example: debian
        required: true
        column: true
      freeMemoryMb:
        type: integer
        minimum: 0
        buckets: [0, 512, 1024, 4096]
        sensitivity: technical
        description: Free memory, rounded down.
        example: 1024
      email:
        type: string
        format: email
        sensitivity: contact
        description: Typed by the person who asks for help. Held apart.
        example: person@example.com
        kept_with: [os]
  - type: track
    name: SEARCH_CLICK
    source: [client]
    since: 2
    why: Shows whether search is used at all.
    owner: recipes team
    review: https://kitchen.example/telemetry/2
    properties:
      filters:
        type: array
        items:
          type: string
          enum: [quick, vegan, cheap]
        max_items: 3
        sensitivity: interaction
        description: Which filters were set.
        example: [quick]
  - type: identify
    source: [client]
    since: 1
    why: Joins the visits of one browser.
    owner: recipes team
    review: https://kitchen.example/telemetry/1
    traits:
      account:
        type: string
        hash: true
        sensitivity: interaction
        description: Keyed hash of the account's name.
        example: 70280e5d07e61e5e915e5d26ac8704bbd68d3f75ebad67ba439f4c354d7a1b2c
`;

/** A text in the example plan, and the text to replace it with. */
export type Edit = readonly [from: string, to: string];

/**
 * Returns the example plan with the edits applied in order, each to the first place where its text occurs.
 * @throws Error if a text to replace is not in it
 */
export function editExample(...edits: readonly Edit[]): string {
  let text = EXAMPLE_PLAN;
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`The example plan has no ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}
