-- Of the counted instances that were first seen before a release: how many have run it or a newer version, how many
-- have not, and how long the upgrade took (median and 90th percentile; 0 if it was earlier than the release).
{population}
SELECT
    countIf(upgradedMs > 0) AS upgraded,
    countIf(upgradedMs = 0) AS notUpgraded,
    quantileExactIf(0.5)(greatest(upgradedMs - {releasedMs:Int64}, 0), upgradedMs > 0) AS medianMs,
    quantileExactIf(0.9)(greatest(upgradedMs - {releasedMs:Int64}, 0), upgradedMs > 0) AS p90Ms
FROM
(
    SELECT population.iid AS iid, upgrades.upgradedMs AS upgradedMs
    FROM population
    LEFT JOIN
    (
        SELECT iid, toUnixTimestamp64Milli(min(first)) AS upgradedMs
        FROM instances
        WHERE JSONExtractString(facts, 'version') IN {versions:Array(String)}
        GROUP BY iid
    ) AS upgrades ON population.iid = upgrades.iid
    WHERE leftOut = '' AND toUnixTimestamp64Milli(firstSeen) < {releasedMs:Int64}
)
