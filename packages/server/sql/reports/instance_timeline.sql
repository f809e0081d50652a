SELECT day, facts, sum(heartbeats) AS heartbeats, toUnixTimestamp64Milli(min(first)) AS firstMs, toUnixTimestamp64Milli(max(last)) AS lastMs
FROM instance_days
WHERE iid = sipHash64({instance:String}) AND day >= {from:Date} AND day <= {to:Date}
GROUP BY day, facts
ORDER BY day, firstMs, facts
