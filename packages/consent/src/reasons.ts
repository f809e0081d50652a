/** Lists the reasons for consent decisions. */

/**
 * Why a source may not send, in order of precedence. A closed union. Each reason has the sentence that the
 * operator reads.
 */
export const DENY_REASONS = {
  environment_disable: "The product's own variable in the environment turns telemetry off.",
  environment_off: "The product's telemetry mode in the environment is off.",
  environment_do_not_track: "DO_NOT_TRACK is set in the environment.",
  environment_ci: "The environment is that of a CI system, where installs are not made by people.",
  environment_opt_in_off: "The product's opt-in variable in the environment does not say Yes.",
  product_off: "The product's own setting turns telemetry off.",
  browser_gpc: "The person's browser sends Global Privacy Control.",
  browser_dnt: "The person's browser asks not to be tracked.",
  policy_off: "The policy of this machine turns it off.",
  policy_unreadable: "The policy of this machine cannot be read, or one of its lines is invalid.",
  receipt_unreadable: "The stored answers cannot be read, or one of them is malformed.",
  stored_no: "The stored answer is No.",
  product_undecided: "The product cannot say yet what its own setting is.",
  log_mode: "The product's telemetry mode in the environment is log: messages are printed, never sent.",
  consent_stale: "The stored answer was given for another plan.",
  notice_missing: "The notice has not been shown yet, and nobody had the switch before the first start.",
  consent_missing: "Nobody has said Yes yet.",
} as const satisfies { [reason: string]: string };

export type DenyReason = keyof typeof DENY_REASONS;

/** Why messages may be sent, in order of precedence. */
export const ALLOW_REASONS = {
  consented: "The stored answer is Yes.",
  notice_shown: "The notice was shown, and nobody has turned telemetry off.",
  switch_offered: "The product's own variable is in the environment and does not turn telemetry off.",
  environment_opt_in: "The product's opt-in variable in the environment says Yes.",
} as const satisfies { [reason: string]: string };

export type AllowReason = keyof typeof ALLOW_REASONS;
