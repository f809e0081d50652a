/** Reports web vitals where the plan declares them: the event `Web Vitals` with `name`, `value` and `rating`. */
import { type Metric, onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";
import type { Client } from "./client.ts";

const EVENT = "Web Vitals";

/**
 * Measures once the answer is Yes and the plan declares the event; otherwise it observes nothing. Each metric is sent
 * at most a few times, when the page is left.
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
