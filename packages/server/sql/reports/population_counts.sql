-- Counts the whole population in one pass, by version and by the reason for leaving an instance out: all instances,
-- those active in the last 1, 7 and 28 days of the period, those first seen in the period, and those active on each
-- day.
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
