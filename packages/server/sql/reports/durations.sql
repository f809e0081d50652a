-- Percentiles of durations, given as buckets of usage_durations. They cover all instances, because a duration is stored
-- without its instance.
SELECT
    source, event,
    {value} AS value,
    sum(durations.count) AS count,
    quantilesExactWeighted(0.5, 0.95, 0.99)(bucket, toUInt64(greatest(durations.count, 0))) AS buckets
FROM usage_durations AS durations
WHERE day >= {from:Date} AND day <= {to:Date}
GROUP BY source, event, value
ORDER BY source, event, value
LIMIT 1000
