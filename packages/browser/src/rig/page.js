// The product's own code on the pages of product.ts: it prepares the browser, then starts telemetry.
(() => {
  const query = new URLSearchParams(location.search);
  const own = document.currentScript.dataset;

  /** Changes to the browser that a test can ask for, by name. */
  const SETUPS = {
    gpc: () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
    dnt: () => Object.defineProperty(navigator, "doNotTrack", { value: "1" }),
    noBeacon: () => Object.defineProperty(navigator, "sendBeacon", { value: undefined }),
    falseBeacon: () => Object.defineProperty(navigator, "sendBeacon", { value: () => false }),
    blockedBeacon: () =>
      Object.defineProperty(navigator, "sendBeacon", {
        value: () => {
          throw new TypeError("blocked");
        },
      }),
    noKeepalive: () => delete Request.prototype.keepalive,
    noLocks: () => delete Navigator.prototype.locks,
    noUuid: () => delete Crypto.prototype.randomUUID,
    noStorage: () =>
      Object.defineProperty(window, "localStorage", {
        get: () => {
          throw new DOMException("", "SecurityError");
        },
      }),
    fullStorage: () => {
      for (let size = 2 ** 23; size >= 1; size /= 2)
        try {
          localStorage.setItem(`filler ${size}`, "x".repeat(size));
        } catch {
          // There is no room for this size; try half of it.
        }
    },
    hidden: () => Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true }),
  };

  if (own.endpoint !== undefined) {
    window.endpoint = own.endpoint;
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
    for (const name of (query.get("setup") ?? "").split(",").filter((one) => one in SETUPS)) SETUPS[name]();
  } else if (query.has("init")) {
    const options = JSON.parse(query.get("init"));
    window.telemetry = candor.init({ endpoint, ...options });
    // The product's own handlers stop the event. The SDK must still count the click.
    addEventListener("DOMContentLoaded", () => {
      for (const id of ["deploy", "held"])
        document.getElementById(id).addEventListener("click", (event) => {
          event.preventDefault();
          event.stopImmediatePropagation();
        });
    });
  }
})();
