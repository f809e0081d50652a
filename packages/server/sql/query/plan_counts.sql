SELECT source, event, path, reason, toUInt32(max(planVersion)) AS planVersion, sum(count) AS total
FROM plan_counts
WHERE day >= {from:Date} AND day <= {to:Date}
GROUP BY source, event, path, reason
ORDER BY total DESC, source, event, path, reason
