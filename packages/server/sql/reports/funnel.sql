-- For each step of a funnel: how many units (counted instances, or people in them) reached it, and how long that took
-- them (median). `start` is the time of the first step from which a run of steps led to this event: the latest one, if
-- there are several; 0 if there is none. `FunnelStep` in funnel-report.ts explains who has reached a step.
{population}
SELECT step, count() AS reached, quantileExact(0.5)(tookMs) AS medianMs
FROM
(
    SELECT iid, person, step, argMin(ms - start, ms) AS tookMs
    FROM
    (
{runs}
    )
    WHERE start > 0
    GROUP BY iid, person, step
)
GROUP BY step
ORDER BY step
