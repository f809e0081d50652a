-- Counts the instances of the population by version and by the reason for leaving them out, in one pass.
{population}
SELECT
    leftOut,
    JSONExtractString(facts, 'version') AS version,
    count() AS instances,
    countIf(has(days, {to:Date})) AS active1,
    countIf(arrayExists(day -> day > addDays({to:Date}, -7), days)) AS active7,
    countIf(arrayExists(day -> day > addDays({to:Date}, -28), days)) AS active28,
    countIf(toDate(firstSeen, {zone:String}) >= {from:Date}) AS newInstances,
    sumMap(days, arrayMap(day -> toUInt64(1), days)) AS onDays
FROM population
GROUP BY leftOut, version
ORDER BY leftOut, version
