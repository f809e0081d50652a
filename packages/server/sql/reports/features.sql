-- For each feature, and each of its values of the requested dimension or fact: how many of the counted instances used
-- it at least `atLeast` times, how often all counted instances used it, and with what outcome.
{population}
SELECT
    source, event, value,
    countIf(uses >= {atLeast:UInt32}) AS instances,
    sum(uses) AS count,
    sum(good) AS succeeded,
    sum(bad) AS failed
FROM
(
    SELECT
        source, event, iid,
        {value} AS value,
        sum(usage.count) AS uses,
        sum(usage.succeeded) AS good,
        sum(usage.failed) AS bad
    FROM usage_instance_days AS usage
    WHERE day >= {from:Date} AND day <= {to:Date} AND iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '')
    GROUP BY source, event, iid, value
)
GROUP BY source, event, value
ORDER BY instances DESC, count DESC, source, event, value
LIMIT 1000
