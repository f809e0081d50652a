-- For each version that usage events report: how many uses by the counted instances succeeded, and how many failed.
{population}
SELECT JSONExtractString(facts, 'version') AS version, sum(succeeded) AS succeeded, sum(failed) AS failed
FROM usage_instance_days
WHERE day >= {from:Date} AND day <= {to:Date} AND iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '')
GROUP BY version
HAVING succeeded + failed > 0
