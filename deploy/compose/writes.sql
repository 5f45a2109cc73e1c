INSERT INTO orders (customer, state, total, placed) VALUES (1 + FLOOR(RAND() * 20000), 'new', RAND() * 900, NOW(3));
SET @id = 1 + FLOOR(RAND() * 180000);
UPDATE orders SET state = 'sent', total = total + 0.01 WHERE id = @id;
UPDATE customers SET name = CONCAT('Customer ', id, ', again') WHERE id = @id % 20000;
DELETE FROM orders WHERE id = @id + 7;
