/** The entry for a script tag: `candor.init(...)`, or `<script src="candor.iife.js" data-endpoint="/telemetry">` alone. */
import { init } from "./client.ts";

Object.assign(window, { candor: { init } });

const { endpoint, consent } = (document.currentScript as HTMLScriptElement | null)?.dataset ?? {};
if (endpoint !== undefined) init({ endpoint, consent: consent === "ask" ? consent : undefined });
