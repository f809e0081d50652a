/** Defines a difference between two plans. */
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
  /** For something new: the plan version that the newer plan gives it. Otherwise undefined. */
  readonly since: number | undefined;
  /**
   * Whether the plan's version must grow for it: always, except for an `other` that does not change what is
   * collected.
   */
  readonly needsNewVersion: boolean;
}

/** Notes one difference at the place being compared. */
export type Note = (kind: DifferenceKind, text: string, more?: NoteMore) => void;

interface NoteMore {
  readonly since?: number;
  /** For an `other` that changes what is collected. Default: false. */
  readonly needsNewVersion?: boolean;
}

/** Returns the `Note` of a place. */
export type NoteAt = (where: string) => Note;
