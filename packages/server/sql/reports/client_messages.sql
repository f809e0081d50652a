-- How many messages of the client there are, and from how many instances; apart for those of counted instances and
-- all others, which may have no instance's id.
{population}
SELECT
    iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '') AS isCounted,
    count() AS messages,
    uniqExact(iid) AS instances
FROM events
WHERE source = 'client'
  AND receivedAt >= toDateTime64(addDays({from:Date}, -2), 3, 'UTC')
  AND toDate(timestamp, {zone:String}) >= {from:Date} AND toDate(timestamp, {zone:String}) <= {to:Date}
GROUP BY isCounted
