{population}
SELECT
    instance,
    toUnixTimestamp64Milli(firstSeen) AS firstSeenMs,
    toUnixTimestamp64Milli(lastSeen) AS lastSeenMs,
    length(days) AS activeDays,
    facts, country, leftOut
FROM population
WHERE startsWith(instance, {search:String}) AND ({isEveryone:Bool} OR leftOut = '')
ORDER BY {order}, instance
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
