/** The options of images on web servers and in object stores. */
export const WEB_OPTIONS = {
  "http-headers-file": {
    value: "FILE",
    help:
      "send the fields in FILE, Name: value in each line, with every request to the server of a web image, such as a token; not to where it redirects",
  },
  netrc: {
    value: "FILE",
    help:
      "find users and passwords of web servers and proxies in FILE, which has the form of .netrc",
  },
  "http-proxy": {
    value: "URL",
    help: "reach web servers through the proxy http://HOST:PORT",
  },
  "cache-dir": {
    value: "DIR",
    help:
      "keep what was fetched from web servers in a file in DIR too, for later exports; several may use it at once",
  },
  "cache-dir-size": {
    value: "SIZE",
    help: "let that file take SIZE at most (default: 4G)",
  },
  "s3-endpoint": {
    value: "URL",
    help: "the object store, http://HOST[:PORT] (default: that of AWS)",
  },
  "s3-region": {
    value: "NAME",
    help: "the region of the object store (default: us-east-1)",
  },
  "s3-credentials": {
    value: "FILE",
    help:
      "sign requests to the object store by the keys in FILE, which has the format of AWS's credentials file (default: anonymous)",
  },
  "s3-profile": {
    value: "NAME",
    help: "the section of that file (default: default)",
  },
} as const;
