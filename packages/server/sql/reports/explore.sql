-- For each group of an event's occurrences, and for all of them (`isTotal`): how many there are, of how many of the
-- counted instances, and the measure. `Explored` in explore-report.ts explains the columns. The condition on
-- `receivedAt` only lets the store skip rows: no event is received before the day of its time, in any zone.
{population}
SELECT *, count() OVER () AS groups
FROM
(
    SELECT keys, {isTotal} AS isTotal, count() AS count, uniqExact(iid) AS instances {measure}
    FROM
    (
        SELECT iid, userId, {keys} AS keys, {number} AS number
        FROM events
        GLOBAL INNER JOIN
        (
            SELECT iid AS countedIid, facts AS countedFacts, country AS countedCountry FROM population WHERE leftOut = ''
        ) AS counted ON iid = countedIid
        WHERE {isEvent}
          AND toDate(timestamp, {zone:String}) >= {from:Date}
          AND toDate(timestamp, {zone:String}) <= {to:Date}
          AND receivedAt >= toDateTime64({from:Date}, 3, 'UTC') - INTERVAL 2 DAY
          AND {where}
    )
    GROUP BY {grouping}
)
ORDER BY isTotal DESC, {order} DESC, keys
LIMIT {limit:UInt32}
