/**
 * The entry point for a script tag. Defines `candor.init`, and calls it if the tag has an endpoint:
 * `<script src="candor.iife.js" data-endpoint="/telemetry">`. `data-consent="ask"` sets the option `consent`.
 */
import { init } from "./client.ts";

Object.assign(window, { candor: { init } });

const { endpoint, consent } = (document.currentScript as HTMLScriptElement | null)?.dataset ?? {};
if (endpoint !== undefined) init({ endpoint, consent: consent === "ask" ? consent : undefined });
