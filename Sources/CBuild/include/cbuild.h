/* What the build knows of itself: the commit, given by Package.swift as a definition. */
#ifndef CBUILD_H
#define CBUILD_H

/* The commit's full hash, or "unknown" where the build had no git. */
const char *_Nonnull cbuild_commit(void);

#endif
