"""The application `lapmark map`: a user's data read, embedded in the plane, and assigned to the nodes of a grid."""
