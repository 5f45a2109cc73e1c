-- The target at its first start: empty, and the ferry's own user with what a target has to grant.
CREATE USER chainferry IDENTIFIED BY 'chainferry-demo';
GRANT SELECT, INSERT, DELETE, CREATE, ALTER, INDEX ON shop.* TO chainferry;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `_ferry`.* TO chainferry;
