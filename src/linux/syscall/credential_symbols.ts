/**
 * The functions of the C library about users and groups, for libc.ts.
 *
 * @module
 */

/** credentials(7), getpwnam(3), getgrnam(3). */
export const CREDENTIAL_SYMBOLS = {
  // uid_t getuid(void);
  getuid: { parameters: [], result: "u32" },
  // gid_t getgid(void);
  getgid: { parameters: [], result: "u32" },
  // uid_t geteuid(void);
  geteuid: { parameters: [], result: "u32" },
  // gid_t getegid(void);
  getegid: { parameters: [], result: "u32" },
  // int setgroups(size_t size, const gid_t *list);
  setgroups: { parameters: ["usize", "pointer"], result: "i32" },
  // int setresgid(gid_t rgid, gid_t egid, gid_t sgid);
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  // int setresuid(uid_t ruid, uid_t euid, uid_t suid);
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  // int setfsgid(gid_t fsgid): of the calling thread only, setfsgid(2).
  setfsgid: { parameters: ["u32"], result: "i32" },
  // int setfsuid(uid_t fsuid): of the calling thread only, setfsuid(2).
  setfsuid: { parameters: ["u32"], result: "i32" },
  // int capget(cap_user_header_t hdrp, cap_user_data_t datap);
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  // int capset(cap_user_header_t hdrp, const cap_user_data_t datap): of the
  // calling thread only.
  capset: { parameters: ["buffer", "buffer"], result: "i32" },
  // int getpwnam_r(const char *name, struct passwd *pwd, char *buf,
  //                size_t buflen, struct passwd **result);
  getpwnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  // int getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t buflen,
  //                struct passwd **result);
  getpwuid_r: {
    parameters: ["u32", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  // int getgrnam_r(const char *name, struct group *grp, char *buf,
  //                size_t buflen, struct group **result);
  getgrnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  // int getgrgid_r(gid_t gid, struct group *grp, char *buf, size_t buflen,
  //                struct group **result);
  getgrgid_r: {
    parameters: ["u32", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
