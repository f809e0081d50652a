-- How much the combination of all facts tells the counted instances apart. `Anonymity` in anonymity-report.ts explains
-- the columns.
{population}
SELECT
    count() AS values,
    min(size) AS smallestGroup,
    countIf(size = 1) AS singledOut,
    sum(size) AS instances,
    -sum(size / all * log2(size / all)) AS entropyBits
FROM (SELECT facts, count() AS size, sum(size) OVER () AS all FROM population WHERE leftOut = '' GROUP BY facts)
