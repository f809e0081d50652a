-- How many instances were active in the last 1, 7 and 28 days of the period, and how many were new in it.
{population}
SELECT
    countIf(has(days, {to:Date})) AS active1,
    countIf(arrayExists(day -> day > addDays({to:Date}, -7), days)) AS active7,
    countIf(arrayExists(day -> day > addDays({to:Date}, -28), days)) AS active28,
    countIf(toDate(firstSeen, {zone:String}) >= {from:Date}) AS newInstances
FROM population
WHERE leftOut = ''
