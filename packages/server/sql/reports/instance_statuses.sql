-- Counts the counted instances by the age of their last heartbeat at `asOfMs`. This heartbeat may be later than the
-- period.
{population}
SELECT
    multiIf(
        ageMs <= 7 * 3600000, 'alive',
        ageMs <= 24 * 3600000, 'late',
        ageMs <= 28 * 86400000, 'lapsed',
        'gone') AS status,
    count() AS instances
FROM (SELECT {asOfMs:Int64} - toUnixTimestamp64Milli(lastSeen) AS ageMs FROM population WHERE leftOut = '')
GROUP BY status
ORDER BY status
