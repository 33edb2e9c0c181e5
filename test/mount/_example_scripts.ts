/**
 * Scripts of ordinary work with files. Each runs in an empty directory and
 * prints the same on every file system that works.
 *
 * @module
 */

/** Prints everything below a directory: no times, no sizes of directories. */
const SHOW = `show() {
  find "\${1:-.}" -type d -printf '%P %y %m %n\\n' -o \\
    -printf '%P %y %m %n %s %l\\n' | sort
}
`;

/** Scripts by what they do. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  "making, moving, removing": `${SHOW}
    mkdir -p a/b/c d; echo one > a/1; echo two > a/b/2; : > a/b/c/3
    cp -r a copy; ln a/1 d/hard; ln -s ../a/1 d/soft; ln -s nowhere d/broken
    show; cat d/hard d/soft; readlink d/broken; cat d/broken 2>&1
    mv a/b d/; mv d/b/2 d/b/c/3; mv copy/1 copy/one; show
    rmdir d 2>&1; rmdir d/b/c 2>&1; rm d 2>&1; unlink d 2>&1
    mkdir d 2>&1; ln d e 2>&1; mv d d/b 2>&1
    echo x > d/b/c/3/y 2>&1; cat d 2>&1
    mkdir empty full; touch full/x; mv -T empty full 2>&1; mv -T full empty; show
    rm -r copy d; show; rm -r *; ls -A`,

  "reading and changing files": `${SHOW}
    seq 5000 > numbers; wc numbers; tail -n 1 numbers; md5sum numbers
    echo more >> numbers; tail -n 2 numbers; sed -i s/4999/x/ numbers
    grep -c x numbers; sort -r -o numbers numbers; head -n 1 numbers
    truncate -s 10 numbers; od -c numbers; truncate -s 20 numbers; od -c numbers
    printf XY | dd of=numbers bs=1 seek=4 conv=notrunc status=none
    od -c numbers; : > numbers; show
    head -c 3000000 /dev/zero | tr '\\0' z > large; cp large other
    cmp large other; md5sum large; dd if=large bs=64k status=none | md5sum
    dd if=large of=direct bs=1M oflag=direct status=none 2>&1; cmp large direct`,

  "holes": `truncate -s 1M sparse
    printf x | dd of=sparse bs=1 seek=500000 conv=notrunc status=none
    cp --sparse=auto sparse copy; cmp sparse copy
    tr -d '\\0' < sparse | wc -c; truncate -s 400000 sparse
    truncate -s 2M sparse; tr -d '\\0' < sparse | wc -c; stat -c %s sparse`,

  "files that are open": `echo text > file; exec 3<> file; rm file
    cat /proc/self/fd/3; echo longer text >&3; wc -c < /proc/self/fd/3
    stat -L -c %h /proc/self/fd/3; exec 3>&-; ls -A
    mkdir dir; cd dir; rmdir ../dir; touch x 2>&1; ls -A; cd ..
    echo 1 > a; echo 2 > b; exec 4< b; mv a b; cat <&4; cat b`,

  "modes, owners, times": `${SHOW}
    umask 027; touch f; mkdir d; show; chmod 4751 f; chmod g-x,o=t d; show
    chown 1:2 f; stat -c '%u:%g %a' f
    mkdir s; chgrp 7 s; chmod g+s s; touch s/f; mkdir s/d
    stat -c '%g %a' s/f s/d
    touch -d '1969-12-31 23:59:58.5' f; touch -m -d '2040-02-29' d
    stat -c '%x %y' f; stat -c %y d
    touch -r f g; stat -c %y g; touch -h -d 2001-02-03 l 2>&1; ln -s f l
    touch -h -d 2001-02-03 l; stat -c %y l f
    cp -p f p; stat -c '%a %y' p`,

  "times that change by themselves":
    `mkdir d; touch d/f; touch -d 2001-01-01 d/f d
    now() { [ $(stat -c %$1 $2) -gt 1500000000 ] && echo $1 $2 now || echo $1 $2 old; }
    now Y d; now Y d/f; echo x >> d/f; now Y d; now Y d/f
    touch -d 2001-01-01 d/f; mv d/f d/g; now Y d; now Y d/g; now Z d/g
    touch -d 2001-01-01 d; rm d/g; now Y d
    touch -d 2001-01-01 f; chmod 600 f; now Y f; now Z f; : > f; now Y f`,

  "other people":
    `as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@" 2>&1; }
    echo secret > f; chmod 600 f; as cat f; chmod 644 f; as cat f
    as touch g; mkdir -m 1777 shared; as touch shared/theirs; touch shared/mine
    stat -c '%u:%g' shared/theirs; as rm -f shared/mine; as rm shared/theirs
    as chmod 600 f; ls shared; printf x > shared/run; chmod 4777 shared/run
    as sh -c 'echo y >> shared/run'; stat -c %a shared/run`,

  "odd names": `long=$(printf %0255d 0); touch "$long"; ls | wc -c
    touch "x$long" 2>&1; mkdir "x$long" 2>&1; mv "$long" "x$long" 2>&1
    touch $'\\xff\\xfe' $'\\xff\\xfd' $'new\\nline' 'sp ace' -- --dash
    ls -b; rm -- --dash; ln -s "$(printf %04095d 0)" l 2>&1; readlink l | wc -c
    ln -s b a; ln -s a b; cat a 2>&1; mkfifo pipe
    (echo through > pipe &); cat pipe; mknod dev c 1 3; stat -c '%F %t:%T' dev pipe`,

  "copies of trees": `mkdir -p t/{a,b,c}/{1,2,3}
    for i in t/*/*; do seq 100 > $i/f; ln -s f $i/l; done; chmod 700 t/b
    tar -cf t.tar t; mkdir x; tar -xpf t.tar -C x; diff -r t x/t && echo same
    cp -a t y; diff -r t y && echo same; find y -type l | wc -l
    find t -name f -size +0 | sort | head -n 3; rm -r t x y t.tar; ls -A`,

  "a large directory": `${SHOW}
    mkdir d; cd d; seq -f file%05.0f 700 | xargs touch; ls | wc -l; ls | md5sum
    ls -U -a | sort | md5sum; show | md5sum; ls -l | wc -l
    find . -name '*7' | sort | md5sum
    find . -name '*[13579]' -delete; ls | wc -l
    seq -f other%05.0f 200 | xargs touch; ls | md5sum; cd ..; rm -r d; ls -A`,

  "many at once": `work() {
      for i in $(seq 30); do
        echo $1 $i > $1.$i; mkdir d$1.$i; mv $1.$i d$1.$i/x
        echo $1 >> shared; [ $((i % 2)) = 0 ] || rm -r d$1.$i
      done
    }
    for n in 1 2 3 4; do work $n & done; wait
    ls | wc -l; sort shared | uniq -c; cat d*/x | md5sum`,
};
