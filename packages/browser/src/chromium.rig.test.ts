import { testIn } from "./rig/browser.contract.ts";

testIn("chromium");
