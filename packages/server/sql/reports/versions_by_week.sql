-- Counts the counted instances by week and version. An instance counts once per week, under the version of its last
-- heartbeat in that week.
{population}
SELECT week, version, count() AS instances
FROM
(
    SELECT iid, toMonday(localDay) AS week, JSONExtractString(argMax(facts, (last, facts)), 'version') AS version
    FROM beats
    WHERE iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '')
    GROUP BY iid, week
)
GROUP BY week, version
ORDER BY week, version
