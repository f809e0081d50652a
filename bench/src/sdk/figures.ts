/** Defines the figures that are measured for one SDK. */
import type { InstalledSize } from "./installed-size.ts";
import type { LossFigures } from "./loss.ts";
import type { MemoryFigures } from "./memory.ts";
import type { PaceFigures } from "./pace.ts";
import type { BurstAnswer, Ending, SdkName } from "./task.ts";

/**
 * The figures of one SDK. Size, memory and losses are measured once; the other figures summarise all rounds.
 */
export type SdkFigures = {
  readonly sdk: SdkName;
  readonly version: string;
  readonly size: InstalledSize;
  readonly smallBursts: BurstAnswer;
  readonly largeBursts: BurstAnswer;
  readonly pace: PaceFigures;
  readonly memory: MemoryFigures;
  readonly losses: Readonly<Record<Ending, LossFigures>>;
};
