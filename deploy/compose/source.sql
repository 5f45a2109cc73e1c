-- The source at its first start: a shop with two hundred thousand rows, its application, and the ferry's own user with what
-- a source has to grant.
CREATE DATABASE shop;

CREATE TABLE shop.customers (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email VARCHAR(80) NOT NULL UNIQUE,
  name VARCHAR(60) NOT NULL
);

CREATE TABLE shop.orders (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer INT NOT NULL,
  state ENUM('new', 'paid', 'sent') NOT NULL,
  total DECIMAL(10, 2) NOT NULL,
  placed DATETIME(3) NOT NULL,
  KEY customer (customer)
);

SET SESSION cte_max_recursion_depth = 200000;

INSERT INTO shop.customers (id, email, name)
  WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 20000)
  SELECT i, CONCAT('c', i, '@example.org'), CONCAT('Customer ', i) FROM numbers;

INSERT INTO shop.orders (id, customer, state, total, placed)
  WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 180000)
  SELECT i, 1 + i % 20000, 1 + i % 3, i % 90000 / 100, '2026-01-01' + INTERVAL i SECOND FROM numbers;

ANALYZE TABLE shop.customers, shop.orders;

CREATE USER shop IDENTIFIED BY 'shop-demo';
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO shop;

CREATE USER chainferry IDENTIFIED BY 'chainferry-demo';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO chainferry;
GRANT SELECT, LOCK TABLES ON shop.* TO chainferry;
