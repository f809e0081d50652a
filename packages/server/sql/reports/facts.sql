{population}
SELECT name, JSONExtractString(facts, name) AS value, count() AS instances
FROM population
ARRAY JOIN {names:Array(String)} AS name
WHERE leftOut = ''
GROUP BY name, value
ORDER BY name, instances DESC, value
