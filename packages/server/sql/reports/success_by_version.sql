-- Counts the successful and the failed uses by the counted instances, by the version that the usage event itself
-- reports.
{population}
SELECT JSONExtractString(facts, 'version') AS version, sum(succeeded) AS succeeded, sum(failed) AS failed
FROM usage_instance_days
WHERE day >= {from:Date} AND day <= {to:Date} AND iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '')
GROUP BY version
HAVING succeeded + failed > 0
