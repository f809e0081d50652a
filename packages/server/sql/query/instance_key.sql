-- The key that an instance registered first. Two that came at once are told apart by the key itself, for good.
SELECT publicKey
FROM instance_keys
WHERE instanceId = {instanceId:String}
ORDER BY registeredAt, publicKey
LIMIT 1
