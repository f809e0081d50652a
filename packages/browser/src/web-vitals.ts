/**
 * Reports web vitals as the event `Web Vitals` (`name`, `value`, `rating`), if the plan declares that event.
 */
import { type Metric, onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";
import type { Client } from "./client.ts";

const EVENT = "Web Vitals";

/**
 * Starts measuring if the verdict is yes when this is called and the plan declares the event. Otherwise
 * observes nothing, even if the verdict changes later. Each metric is sent when its value is final, at the
 * latest when the page is hidden, and again if the value changes after that.
 */
export async function reportWebVitals(client: Client): Promise<void> {
  const { verdict, plan } = await client.status();
  if (verdict !== "yes" || !plan?.events.some(({ name }) => name === EVENT)) return;
  const report = ({ name, value, rating }: Metric): void => {
    client.track(EVENT, {
      name,
      value: name === "CLS" ? Math.round(value * 1000) / 1000 : Math.round(value),
      rating,
    });
  };
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) observe(report);
}
