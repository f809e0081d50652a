/** Defines a difference between two plans. */

/**
 * What a change means for people. `consent_weaker`: the consent rule is weaker, or a variable no longer turns
 * telemetry off.
 */
export type DifferenceKind =
  | "newly_collected"
  | "more_sensitive"
  | "kept_longer"
  | "consent_weaker"
  | "less"
  | "other";

export interface PlanDifference {
  readonly kind: DifferenceKind;
  /**
   * The place of the difference: `plan`, `source client: context.page`,
   * `event track Installation Started: properties.os`.
   */
  readonly where: string;
  readonly text: string;
  /** The `since` of an event or field that the newer plan added; undefined for any other difference. */
  readonly since: number | undefined;
  /**
   * Whether the difference requires a higher plan version. True for every kind except `other`, where it
   * depends on the change.
   */
  readonly needsNewVersion: boolean;
}

/** Reports one difference at the place being compared. */
export type Note = (kind: DifferenceKind, text: string, more?: NoteMore) => void;

interface NoteMore {
  readonly since?: number;
  /** Default: false for an `other`, true for any other kind. */
  readonly needsNewVersion?: boolean;
}

/** Returns the `Note` function for a place. */
export type NoteAt = (where: string) => Note;
