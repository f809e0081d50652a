import type { Browser } from "playwright-core";

export interface ShownPages {
  /** Address of the collector's public page. */
  readonly privacy: string;
  /** Address of the operator's page. */
  readonly inspector: string;
  /** Address of a page that asks each person for consent. */
  readonly prompt: string;
  close(): Promise<void>;
}

export function showPages(): Promise<ShownPages>;
export function openBrowser(): Promise<Browser>;
