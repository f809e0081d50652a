/** What a change means for people. `consent_weaker`: less is asked, or an old No no longer counts. */
export type DifferenceKind =
  | "newly_collected"
  | "more_sensitive"
  | "kept_longer"
  | "consent_weaker"
  | "less"
  | "other";

export interface PlanDifference {
  readonly kind: DifferenceKind;
  /** `plan`, `source client: context.page`, `event track Installation Started: properties.os`. */
  readonly where: string;
  /** A sentence for people. */
  readonly text: string;
  /** Of a thing that is new: the plan version that the newer plan gives it. Else undefined. */
  readonly since: number | undefined;
  /** Whether the plan's version must grow for it. True for the first four kinds. */
  readonly needsNewVersion: boolean;
}

/** Takes one difference at the place that is being compared. */
export type Note = (kind: DifferenceKind, text: string, since?: number) => void;

/** Gives the `Note` of a place. */
export type NoteAt = (where: string) => Note;
