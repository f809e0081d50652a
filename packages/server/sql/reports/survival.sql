-- For each week: how many counted instances were first seen in it, and how many of them were seen again at least 1, 7,
-- 28 and 90 days after their first heartbeat.
{population}
SELECT
    toMonday(toDate(firstSeen, {zone:String})) AS week,
    count() AS instances,
    countIf(lastSeen >= firstSeen + INTERVAL 1 DAY) AS day1,
    countIf(lastSeen >= firstSeen + INTERVAL 7 DAY) AS day7,
    countIf(lastSeen >= firstSeen + INTERVAL 28 DAY) AS day28,
    countIf(lastSeen >= firstSeen + INTERVAL 90 DAY) AS day90
FROM population
WHERE leftOut = '' AND toDate(firstSeen, {zone:String}) >= {from:Date}
GROUP BY week
ORDER BY week
