import type { InstalledSize } from "./installed-size.ts";
import type { LossFigures } from "./loss.ts";
import type { MemoryFigures } from "./memory.ts";
import type { PaceFigures } from "./pace.ts";
import type { BurstAnswer, Ending, SdkName } from "./task.ts";

/** All that was measured of one SDK: of all rounds, but for the size, and for memory and losses, which are measured once. */
export type SdkFigures = {
  readonly sdk: SdkName;
  readonly version: string;
  readonly size: InstalledSize;
  /** Of 100 calls, and of 1,000. */
  readonly smallBursts: BurstAnswer;
  readonly largeBursts: BurstAnswer;
  readonly pace: PaceFigures;
  readonly memory: MemoryFigures;
  readonly losses: Readonly<Record<Ending, LossFigures>>;
};
