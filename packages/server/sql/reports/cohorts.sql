-- For each cohort of instances: how many there are and, for each week of their lives (days 0 to 6 after the day of their
-- first heartbeat, 7 to 13, ...), how many of them have had the whole week, and how many of these did the event in it.
{population}
SELECT
    cohort,
    count() AS instances,
    sumForEach(arrayMap(week -> toUInt64(week < weeks), range({weeks:UInt32}))) AS inWeek,
    sumForEach(arrayMap(week -> toUInt64(week < weeks AND has(weeksOfUse, week)), range({weeks:UInt32}))) AS used,
    count() OVER () AS cohorts
FROM
(
    SELECT
        {cohort} AS cohort,
        toDate(population.firstSeen, {zone:String}) AS firstDay,
        intDiv(dateDiff('day', firstDay, {to:Date}) + 1, 7) AS weeks,
        arrayMap(day -> intDiv(dateDiff('day', firstDay, day), 7), arrayFilter(day -> day >= firstDay, uses.days)) AS weeksOfUse
    FROM population
    LEFT JOIN
    (
        SELECT iid, argMin(facts, (first, facts)) AS firstFacts FROM instances GROUP BY iid
    ) AS began ON population.iid = began.iid
    LEFT JOIN
    (
        SELECT iid, groupUniqArray(toDate(timestamp, {zone:String})) AS days
        FROM events
        WHERE {isEvent}
          AND iid != 0
          AND toDate(timestamp, {zone:String}) >= {from:Date}
          AND toDate(timestamp, {zone:String}) <= {to:Date}
          AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC') - INTERVAL 2 DAY
          AND {where}
        GROUP BY iid
    ) AS uses ON population.iid = uses.iid
    WHERE population.leftOut = '' AND toDate(population.firstSeen, {zone:String}) >= {from:Date}
)
GROUP BY cohort
ORDER BY {order}
LIMIT 1000
